-- transaction: false
DROP DATABASE airlock_production;
