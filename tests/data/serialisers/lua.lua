-- Writes each payload of standard input as Lua's cjson does: a line "NAME<TAB>NUMBER<TAB>HEX" each.
local json = require("cjson")
local number = 0
for line in io.lines() do
    local text = json.encode(json.decode(line))
    print("lua cjson\t" .. number .. "\thex:" .. text:gsub(".", function(c) return string.format("%02x", c:byte()) end))
    number = number + 1
end
