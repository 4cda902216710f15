module example.com/billing

go 1.18

require github.com/golang-jwt/jwt/v4 v4.5.2
