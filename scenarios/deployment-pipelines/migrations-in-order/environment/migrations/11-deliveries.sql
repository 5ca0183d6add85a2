CREATE TABLE delivery (
    id serial PRIMARY KEY,
    article text NOT NULL REFERENCES article,
    arrived date NOT NULL DEFAULT current_date
);
INSERT INTO delivery (article) VALUES ('bolt');
