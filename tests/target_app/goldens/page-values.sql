SELECT "catalogue_product"."id" AS "id",
       "catalogue_product"."name" AS "name",
       "catalogue_product"."slug" AS "slug",
       "catalogue_product"."price" AS "price",
       "catalogue_product"."stock" AS "stock",
       "catalogue_product"."created_at" AS "created_at",
       "catalogue_product"."brand_id" AS "brand__id",
       "catalogue_brand"."name" AS "brand__name",
       "catalogue_brand"."slug" AS "brand__slug",
       "catalogue_product"."category_id" AS "category__id",
       "catalogue_category"."name" AS "category__name",
       "catalogue_category"."slug" AS "category__slug",
       ARRAY
  (SELECT U0."name" AS "name"
   FROM "catalogue_tag" U0
   INNER JOIN "catalogue_product_tags" U1 ON (U0."id" = U1."tag_id")
   WHERE U1."product_id" = ("catalogue_product"."id")) AS "tag_names",
       "catalogue_product"."rating" AS "stored_rating",
       "catalogue_product"."review_count" AS "stored_review_count",
       "catalogue_product"."description" AS "description",
       "catalogue_category"."parent_id" AS "category__parent__id",
       T4."name" AS "category__parent__name",
       T4."slug" AS "category__parent__slug",
       T4."parent_id" AS "category__parent__parent__id",
       T5."name" AS "category__parent__parent__name",
       T5."slug" AS "category__parent__parent__slug"
FROM "catalogue_product"
INNER JOIN "catalogue_brand" ON ("catalogue_product"."brand_id" = "catalogue_brand"."id")
INNER JOIN "catalogue_category" ON ("catalogue_product"."category_id" = "catalogue_category"."id")
LEFT OUTER JOIN "catalogue_category" T4 ON ("catalogue_category"."parent_id" = T4."id")
LEFT OUTER JOIN "catalogue_category" T5 ON (T4."parent_id" = T5."id")
WHERE ("catalogue_product"."is_active"
       AND "catalogue_product"."id" = 1)
LIMIT 21;

SELECT "catalogue_review"."rating" AS "rating",
       COUNT("catalogue_review"."id") AS "id__count"
FROM "catalogue_review"
WHERE "catalogue_review"."product_id" = 1
GROUP BY 1;

SELECT "catalogue_review"."id" AS "id",
       "catalogue_review"."product_id" AS "product_id",
       "customers_customer"."name" AS "author__name",
       "catalogue_review"."rating" AS "rating",
       "catalogue_review"."title" AS "title",
       "catalogue_review"."body" AS "body",
       "catalogue_review"."is_verified" AS "is_verified",
       "catalogue_review"."created_at" AS "created_at"
FROM "catalogue_review"
INNER JOIN "customers_customer" ON ("catalogue_review"."author_id" = "customers_customer"."id")
WHERE "catalogue_review"."product_id" = 1
ORDER BY 8 DESC,
         1 DESC
LIMIT 5;
