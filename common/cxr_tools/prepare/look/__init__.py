"""What people train on, as a page: contact sheet, counts and warnings of a datalist."""
