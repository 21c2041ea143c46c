"""What commands print: tables of models, jobs and keys, figures, predictions."""
