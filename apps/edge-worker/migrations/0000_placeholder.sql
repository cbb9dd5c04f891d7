-- A placeholder: wrangler wants at least one migration.
SELECT 1;
