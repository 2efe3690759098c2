module benchrig/apps/go

go 1.22
