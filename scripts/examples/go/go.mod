module example.com/hmtmock

go 1.21
