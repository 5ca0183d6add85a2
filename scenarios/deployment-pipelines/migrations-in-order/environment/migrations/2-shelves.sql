CREATE TABLE shelf (
    label text PRIMARY KEY,
    capacity integer NOT NULL
);
