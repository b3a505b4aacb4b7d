ALTER ROLE CURRENT_USER SET search_path = archive;
ALTER DATABASE airlock_test SET lock_timeout = 0;
ALTER DATABASE airlock_test CONNECTION LIMIT 1;
