CREATE TABLE article (
    name text PRIMARY KEY,
    price integer NOT NULL
);
