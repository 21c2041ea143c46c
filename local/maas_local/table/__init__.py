"""DynamoDB: moto answers the protocol and evaluates the expressions, SQLite holds the rows."""
