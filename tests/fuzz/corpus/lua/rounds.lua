return function(exp)
  local r = exp:run { title = "a", race = true, slack = 2, { learning_rate = 2^-8, max_steps = 10, target = .5 }, { seed = 2 } }
  exp:decide { kind = "custom", text = r[1].run .. r[1].outcome, data = { v = r[2].evals[1].value, t = { 1, { a = 2 } } } }
end
