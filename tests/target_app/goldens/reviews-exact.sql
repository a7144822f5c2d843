SELECT "catalogue_product"."id"
FROM "catalogue_product"
WHERE ("catalogue_product"."is_active"
       AND "catalogue_product"."id" = 1)
LIMIT 21;

SELECT COUNT(*) AS "__count"
FROM "catalogue_review"
WHERE "catalogue_review"."product_id" = 1;

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
LIMIT 21;
