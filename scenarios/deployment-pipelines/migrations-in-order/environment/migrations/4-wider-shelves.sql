-- The new boards hold ten boxes more.
UPDATE shelf SET capacity = capacity + 10;
