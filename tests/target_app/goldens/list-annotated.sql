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
       COALESCE(
                  (SELECT ROUND(AVG(U0."rating"), 2) AS "mean"
                   FROM "catalogue_review" U0
                   WHERE U0."product_id" = ("catalogue_product"."id")
                   GROUP BY U0."product_id"), 0) AS "rating",
       COALESCE(
                  (SELECT COUNT(U0."id") AS "count"
                   FROM "catalogue_review" U0
                   WHERE U0."product_id" = ("catalogue_product"."id")
                   GROUP BY U0."product_id"), 0) AS "review_count"
FROM "catalogue_product"
INNER JOIN "catalogue_brand" ON ("catalogue_product"."brand_id" = "catalogue_brand"."id")
INNER JOIN "catalogue_category" ON ("catalogue_product"."category_id" = "catalogue_category"."id")
WHERE ("catalogue_product"."is_active"
       AND COALESCE(
                      (SELECT ROUND(AVG(U0."rating"), 2) AS "mean"
                       FROM "catalogue_review" U0
                       WHERE U0."product_id" = ("catalogue_product"."id")
                       GROUP BY U0."product_id"), 0) >= 3)
ORDER BY 1 ASC
LIMIT 21;
