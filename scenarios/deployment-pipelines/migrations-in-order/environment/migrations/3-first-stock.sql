INSERT INTO article (name, price) VALUES ('bolt', 2), ('hinge', 7), ('lock', 31);
INSERT INTO shelf (label, capacity) VALUES ('A', 20), ('B', 35);
