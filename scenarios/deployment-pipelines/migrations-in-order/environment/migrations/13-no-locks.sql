DELETE FROM article WHERE name = 'lock';
