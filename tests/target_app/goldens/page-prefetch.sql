SELECT "catalogue_product"."id",
       "catalogue_product"."category_id",
       "catalogue_product"."brand_id",
       "catalogue_product"."name",
       "catalogue_product"."slug",
       "catalogue_product"."description",
       "catalogue_product"."price",
       "catalogue_product"."stock",
       "catalogue_product"."is_active",
       "catalogue_product"."rating",
       "catalogue_product"."review_count",
       "catalogue_product"."created_at",
       "catalogue_category"."id",
       "catalogue_category"."parent_id",
       "catalogue_category"."name",
       "catalogue_category"."slug",
       T3."id",
       T3."parent_id",
       T3."name",
       T3."slug",
       T4."id",
       T4."parent_id",
       T4."name",
       T4."slug",
       "catalogue_brand"."id",
       "catalogue_brand"."name",
       "catalogue_brand"."slug",
       "catalogue_brand"."country"
FROM "catalogue_product"
INNER JOIN "catalogue_category" ON ("catalogue_product"."category_id" = "catalogue_category"."id")
LEFT OUTER JOIN "catalogue_category" T3 ON ("catalogue_category"."parent_id" = T3."id")
LEFT OUTER JOIN "catalogue_category" T4 ON (T3."parent_id" = T4."id")
INNER JOIN "catalogue_brand" ON ("catalogue_product"."brand_id" = "catalogue_brand"."id")
WHERE ("catalogue_product"."is_active"
       AND "catalogue_product"."id" = 1)
LIMIT 21;

SELECT ("catalogue_product_tags"."product_id") AS "_prefetch_related_val_product_id",
       "catalogue_tag"."id",
       "catalogue_tag"."name",
       "catalogue_tag"."slug"
FROM "catalogue_tag"
INNER JOIN "catalogue_product_tags" ON ("catalogue_tag"."id" = "catalogue_product_tags"."tag_id")
WHERE "catalogue_product_tags"."product_id" IN (1);

SELECT "catalogue_review"."rating" AS "rating",
       COUNT("catalogue_review"."id") AS "id__count"
FROM "catalogue_review"
WHERE "catalogue_review"."product_id" = 1
GROUP BY 1;

SELECT "catalogue_review"."id",
       "catalogue_review"."product_id",
       "catalogue_review"."author_id",
       "catalogue_review"."rating",
       "catalogue_review"."title",
       "catalogue_review"."body",
       "catalogue_review"."is_verified",
       "catalogue_review"."created_at",
       "customers_customer"."id",
       "customers_customer"."name"
FROM "catalogue_review"
INNER JOIN "customers_customer" ON ("catalogue_review"."author_id" = "customers_customer"."id")
WHERE "catalogue_review"."product_id" = 1
ORDER BY "catalogue_review"."created_at" DESC,
         "catalogue_review"."id" DESC
LIMIT 5;
