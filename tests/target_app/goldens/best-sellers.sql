SELECT "catalogue_category"."id" AS "id"
FROM "catalogue_category"
LEFT OUTER JOIN "catalogue_category" T2 ON ("catalogue_category"."parent_id" = T2."id")
LEFT OUTER JOIN "catalogue_category" T3 ON (T2."parent_id" = T3."id")
WHERE ("catalogue_category"."slug" = 'kitchen'
       OR T2."slug" = 'kitchen'
       OR T3."slug" = 'kitchen')
ORDER BY 1 ASC;

SELECT "orders_orderline"."product_id" AS "product_id",
       SUM("orders_orderline"."quantity") AS "units",
       SUM(("orders_orderline"."quantity" * "orders_orderline"."unit_price")) AS "revenue"
FROM "orders_orderline"
INNER JOIN "orders_order" ON ("orders_orderline"."order_id" = "orders_order"."id")
INNER JOIN "catalogue_product" ON ("orders_orderline"."product_id" = "catalogue_product"."id")
WHERE (NOT ("orders_order"."status" = 'cancelled')
       AND "catalogue_product"."is_active"
       AND "catalogue_product"."category_id" IN (1,
                                                 4,
                                                 5,
                                                 10,
                                                 11,
                                                 12,
                                                 13))
GROUP BY 1
ORDER BY 2 DESC,
         1 ASC
LIMIT 20;

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
       AND "catalogue_product"."id" IN (266,
                                        240,
                                        112,
                                        119,
                                        122,
                                        178,
                                        190,
                                        78,
                                        13,
                                        74,
                                        165,
                                        21,
                                        48,
                                        163,
                                        201,
                                        2,
                                        14,
                                        52,
                                        67,
                                        68));

SELECT ("catalogue_product_tags"."product_id") AS "_prefetch_related_val_product_id",
       "catalogue_tag"."id",
       "catalogue_tag"."name",
       "catalogue_tag"."slug"
FROM "catalogue_tag"
INNER JOIN "catalogue_product_tags" ON ("catalogue_tag"."id" = "catalogue_product_tags"."tag_id")
WHERE "catalogue_product_tags"."product_id" IN (2,
                                                13,
                                                14,
                                                21,
                                                48,
                                                52,
                                                67,
                                                68,
                                                74,
                                                78,
                                                112,
                                                119,
                                                122,
                                                163,
                                                165,
                                                178,
                                                190,
                                                201,
                                                240,
                                                266);
