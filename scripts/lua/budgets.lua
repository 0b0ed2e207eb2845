-- Which batch size an epoch budget or a step budget crowns: the winners' own runs, read at the last
-- evaluation within the budget and continued where they are shorter.
local check = require "check"
local budgets = {}

-- Runs every point's seeds to the budget, in one round; results[i][s] of point i, seed s.
local function carry_out(exp, points, limit, title)
  local trials = { title = title }
  for _, point in ipairs(points) do
    for _, seed in ipairs(point.seeds) do
      local trial = {}
      for name, value in pairs(point.settings or {}) do trial[name] = value end
      trial.batch_size, trial.learning_rate, trial.seed = point.batch_size, point.learning_rate, seed
      trial.max_steps, trial.max_epochs = limit.max_steps, limit.max_epochs
      trial.reason = title
      trials[#trials + 1] = trial
    end
  end
  local flat, results, at = exp:run(trials), {}, 0
  for i, point in ipairs(points) do
    results[i] = {}
    for s = 1, #point.seeds do
      at = at + 1
      results[i][s] = flat[at]
    end
  end
  return results
end

-- The run in the middle by its value; of an even number the better of the middle two.
local function middle(results)
  local order = {}
  for i, result in ipairs(results) do
    local last = result.evals[#result.evals]
    local fine = result.outcome == "budget" or result.outcome == "target"
    order[i] = { value = fine and last and last.value or math.huge, result = result, last = last }
  end
  table.sort(order, function(a, b) return a.value < b.value end)
  return order[(#order + 1) // 2]
end

local function compare(exp, points, budget, amount, limit)
  local label = budget == "steps" and check.commas(amount) .. " steps"
    or string.format("%g epoch%s", amount, amount == 1 and "" or "s")
  local crowned
  for i, results in ipairs(carry_out(exp, points, limit, "budget of " .. label)) do
    local point, run = points[i], middle(results)
    local finite = run.value < math.huge
    exp:decide {
      kind = "budget", budget = budget, amount = amount, batch_size = point.batch_size,
      learning_rate = point.learning_rate, steps = run.result.steps, run = run.result.run,
      value = finite and run.value or nil,
      text = string.format("after %s: batch %d at lr %.3g %s", label, point.batch_size,
        point.learning_rate, finite and string.format("comes to %.4g", run.value) or "has no result"),
    }
    if finite and (crowned == nil or run.value < crowned.value) then
      crowned = { value = run.value, batch_size = point.batch_size, label = label, verb = amount == 1 and "crowns" or "crown" }
    end
  end
  return crowned
end

-- budgets(exp, { epochs = 2, steps = 2000, points = critical_batch(...) }); 0 leaves one out.
function budgets.compare(exp, options)
  local o = check.options(options, { "epochs", "steps", "points" }, "budgets")
  local epochs = check.number(o.epochs or exp.config["sweep.budget_epochs"], 0, "epochs")
  local steps = check.whole(o.steps or exp.config["sweep.budget_steps"], 0, "steps")
  local points = o.points
  if points == nil then error("budgets needs points: what critical_batch returned") end
  if #points == 0 then return {} end
  local crowned = {}
  if epochs > 0 then crowned[#crowned + 1] = compare(exp, points, "epochs", epochs, { max_epochs = epochs }) end
  if steps > 0 then crowned[#crowned + 1] = compare(exp, points, "steps", steps, { max_steps = steps }) end
  local words = {}
  for i, c in ipairs(crowned) do
    words[i] = string.format("%s %s batch %d (%.4g)", c.label, c.verb, c.batch_size, c.value)
  end
  if #words > 0 then exp:note(table.concat(words, "; ")) end
  return crowned
end

return budgets
