-- Registers somebody new each time.
local count, prefix = 0, ""
function init(arguments) prefix = "new" .. os.time() .. "-" .. number .. "-" end
function request()
  count = count + 1
  return json("/api/v1/auth/register", '{"email":"' .. prefix .. count ..
    '@example.com","name":"Ann Lee","password":"SecurePass123!"}')
end
