ALTER ROLE CURRENT_USER SET search_path = archive;
