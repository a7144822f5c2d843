SELECT "catalogue_product"."id",
       "catalogue_product"."category_id",
       "catalogue_product"."brand_id",
       "catalogue_product"."name",
       "catalogue_product"."slug",
       "catalogue_product"."price",
       "catalogue_product"."stock",
       "catalogue_product"."rating",
       "catalogue_product"."review_count",
       "catalogue_product"."created_at",
       "catalogue_category"."id",
       "catalogue_category"."name",
       "catalogue_category"."slug",
       "catalogue_brand"."id",
       "catalogue_brand"."name",
       "catalogue_brand"."slug"
FROM "catalogue_product"
INNER JOIN "catalogue_category" ON ("catalogue_product"."category_id" = "catalogue_category"."id")
INNER JOIN "catalogue_brand" ON ("catalogue_product"."brand_id" = "catalogue_brand"."id")
WHERE ("catalogue_product"."is_active"
       AND (UPPER("catalogue_product"."name"::text) LIKE UPPER('%oak%')
            OR UPPER("catalogue_product"."description"::text) LIKE UPPER('%oak%'))
       AND NOT ((UPPER("catalogue_product"."name"::text) LIKE UPPER('%lamp%')
                 OR UPPER("catalogue_product"."description"::text) LIKE UPPER('%lamp%'))))
ORDER BY "catalogue_product"."id" DESC
LIMIT 21;

SELECT ("catalogue_product_tags"."product_id") AS "_prefetch_related_val_product_id",
       "catalogue_tag"."id",
       "catalogue_tag"."name",
       "catalogue_tag"."slug"
FROM "catalogue_tag"
INNER JOIN "catalogue_product_tags" ON ("catalogue_tag"."id" = "catalogue_product_tags"."tag_id")
WHERE "catalogue_product_tags"."product_id" IN (300,
                                                276,
                                                255,
                                                216,
                                                187,
                                                175,
                                                149,
                                                85,
                                                73,
                                                44);
