-- Prefect keeps its runs in a database of its own, beside the ledger's.
CREATE DATABASE prefect OWNER ledger ENCODING 'UTF8' TEMPLATE template0;
