module cyberhubs/tests/images/stub

go 1.21
