UPDATE article SET price = price * 100;
