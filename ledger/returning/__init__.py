"""Forms out, marked workbooks and error lists back."""
