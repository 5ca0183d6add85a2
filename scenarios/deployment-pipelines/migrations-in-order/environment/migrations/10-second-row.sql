-- Every shelf gets a second row.
UPDATE shelf SET capacity = capacity * 2;
