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
       "catalogue_product"."created_at"
FROM "catalogue_product"
WHERE "catalogue_product"."is_active"
ORDER BY "catalogue_product"."id" DESC
LIMIT 5;

SELECT "catalogue_brand"."id",
       "catalogue_brand"."name",
       "catalogue_brand"."slug",
       "catalogue_brand"."country"
FROM "catalogue_brand"
WHERE "catalogue_brand"."id" IN (1,
                                 6,
                                 4,
                                 3);

SELECT "catalogue_product_tags"."product_id" AS "product_id",
       "catalogue_tag"."name" AS "tag__name"
FROM "catalogue_product_tags"
INNER JOIN "catalogue_tag" ON ("catalogue_product_tags"."tag_id" = "catalogue_tag"."id")
WHERE "catalogue_product_tags"."product_id" IN (300,
                                                299,
                                                298,
                                                297,
                                                296);

SELECT *
FROM
  (SELECT "catalogue_review"."id" AS "col1",
          "catalogue_review"."product_id" AS "col2",
          "catalogue_review"."author_id" AS "col3",
          "catalogue_review"."rating" AS "col4",
          "catalogue_review"."title" AS "col5",
          "catalogue_review"."body" AS "col6",
          "catalogue_review"."is_verified" AS "col7",
          "catalogue_review"."created_at" AS "col8",
          ROW_NUMBER() OVER (PARTITION BY "catalogue_review"."product_id"
                             ORDER BY "catalogue_review"."created_at" DESC, "catalogue_review"."id" DESC) AS "place"
   FROM "catalogue_review"
   WHERE "catalogue_review"."product_id" IN (300,
                                             299,
                                             298,
                                             297,
                                             296)
   ORDER BY "catalogue_review"."product_id" ASC,
            9 ASC) "qualify"
WHERE "place" <= 2
ORDER BY "col2" ASC,
         9 ASC;

SELECT "customers_customer"."id",
       "customers_customer"."name",
       "customers_customer"."email",
       "customers_customer"."country",
       "customers_customer"."joined_at",
       "customers_customer"."user_id"
FROM "customers_customer"
WHERE "customers_customer"."id" IN (6,
                                    1,
                                    31,
                                    40,
                                    48,
                                    4,
                                    43,
                                    23,
                                    11,
                                    9);
