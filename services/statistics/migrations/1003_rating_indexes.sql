-- Whose rating it is to erase follows from the owner where an event said who that is; only else from the image.
DROP INDEX rating_image;
CREATE INDEX rating_image ON rating (image_id) WHERE owner IS NULL;
