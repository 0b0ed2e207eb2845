local t = { b = 1, a = 2, 3, [2.5] = 4 } table.sort({ 1, 1, 2 }, function(a, b) return a > b end)
for k, v in pairs(t) do t[k] = nil end
return function(exp) exp:note(string.format("ÿÿÿÿÿÿÿÿÿÿÿõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõnanõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõõÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿ%s %2.2f %q", {}, math.random(), "x") .. tostring(next(t))) end
