-- Rules that carry a learning rate from one batch size to the others, judged by what following them costs:
-- the regret, steps at the rule's rate over steps at the tuned rate (docs/statistics.md). Runs what the sweep
-- has not run already.
--
-- Example: the best rates are 2^-9 at batch 64 and 2^-8 at batch 256. "linear" says 2^-7 at 256. If that takes 300
-- steps and 2^-8 takes 250, the regret of "linear" there is 1.2.
local check = require "check"
local candidates = require "candidates"
local grid = require "grid"
local rules = {}

-- x^alpha with the same bits on every machine: the exponent of 2 is rounded to 20 binary digits.
local function power(x, alpha)
  if alpha == 1 then return x end
  return grid.power(math.floor(alpha * math.log(x, 2) * 2 ^ 20 + 0.5) / 2 ^ 20)
end

local function is_adam(name) return name == "adam" or name == "adamw" end

-- at(o, b, exp) returns the rule's rate at batch size b, and the settings that go with it; nil and a reason
-- where the rule says nothing. o has b0 and lr0, the smallest size and its rate; b_star; alpha; noise_scale.
-- half_life keeps the half-life in examples of what averages gradients; a momentum keeps its sum with it. decay
-- keeps the time of the weight decay in epochs. surge rises to the noise scale and falls behind it.
local rule_table = {
  { name = "keep", at = function(o) return o.lr0 end },
  { name = "linear", at = function(o, b) return o.lr0 * (b / o.b0) end },
  { name = "sqrt", at = function(o, b) return o.lr0 * math.sqrt(b / o.b0) end },
  { name = "saturating", at = function(o, b)
    return o.lr0 * power((1 + o.b_star / o.b0) / (1 + o.b_star / b), o.alpha)
  end },
  { name = "malladi", at = function(o, b, exp)
    local k, adam = b / o.b0, exp.config["optimizer.name"]
    if not is_adam(adam) then return nil, "is a rule for adam and adamw, not " .. adam end
    local beta1, beta2 = 1 - k * (1 - exp.config["optimizer.beta1"]), 1 - k * (1 - exp.config["optimizer.beta2"])
    if beta1 < 0 or beta2 < 0 then return nil, "leaves its domain: a beta would fall below 0" end
    return o.lr0 * math.sqrt(k), { ["optimizer.beta1"] = beta1, ["optimizer.beta2"] = beta2,
      ["optimizer.eps"] = exp.config["optimizer.eps"] / math.sqrt(k) }
  end },
  { name = "half_life", at = function(o, b, exp)
    local k, name = b / o.b0, exp.config["optimizer.name"]
    if is_adam(name) then
      return o.lr0 * math.sqrt(k), { ["optimizer.beta1"] = power(exp.config["optimizer.beta1"], k),
        ["optimizer.beta2"] = power(exp.config["optimizer.beta2"], k) }
    elseif name == "sgd" then
      return nil, "sgd keeps no average of gradients that could have a half-life"
    end
    local m = exp.config["optimizer.momentum"]
    local moved = power(m, k)
    return o.lr0 * k * (1 - moved) / (1 - m), { ["optimizer.momentum"] = moved }
  end },
  { name = "decay", at = function(o, b, exp)
    local k, name, decay = b / o.b0, exp.config["optimizer.name"], exp.config["optimizer.weight_decay"]
    if name == "adam" then return nil, "adam's weight decay goes through its averages: it has no time of its own" end
    if decay == 0 then return nil, "there is no weight decay to move" end
    local lr = o.lr0 * (name == "adamw" and math.sqrt(k) or k)
    return lr, { ["optimizer.weight_decay"] = decay * k * o.lr0 / lr }
  end },
  { name = "surge", at = function(o, b, exp)
    local name, n = exp.config["optimizer.name"], o.noise_scale
    if not is_adam(name) then return nil, "is a rule for adam and adamw, not " .. name end
    if not n then return nil, "needs sweep.noise_scale: batchlab find measures it" end
    local function f(x) return 1 / (math.sqrt(n / x) + math.sqrt(x / n)) end
    return o.lr0 * f(b) / f(o.b0)
  end },
}

-- The rows of rule_table that are asked for.
local function find_rules(names)
  if names == nil then return rule_table end
  local list, all = {}, {}
  for i, rule in ipairs(rule_table) do all[i], all[rule.name] = rule.name, rule end
  for i, name in ipairs(names) do
    list[i] = all[name] or error("no rule '" .. tostring(name) .. "'" .. check.suggestion(tostring(name), all))
  end
  return list
end

-- Runs every rule's rate at one size. Returns a list of { rule, lr, candidate } or { rule, why } where the rule
-- says nothing. Rules with one rate share its runs.
local function run_rules(exp, o, list, best)
  local bound = exp:grid_ceil(math.ceil(o.limit * best.steps))
  local self = candidates.new(exp, {
    batch_size = best.batch_size, target = best.target, seeds = best.seeds, slack = o.limit,
    settings = best.settings, title = "rules at batch " .. best.batch_size,
  })
  local wanted, rows, asked = {}, {}, {}
  for i, rule in ipairs(list) do
    local lr, more = rule.at(o, best.batch_size, exp)
    rows[i] = { rule = rule.name, lr = lr, why = not lr and more or nil }
    if lr then
      local set = { learning_rate = lr }
      for name, value in pairs(more or {}) do set[name] = value end
      rows[i].key = string.format("%s%a", more and rule.name or "", lr)
      for seed = 1, asked[rows[i].key] and 0 or #best.seeds do
        wanted[#wanted + 1] = { key = rows[i].key, set = set, seed = seed, bound = bound,
          reason = string.format("the rule %s from batch %d, seed %d", rule.name, o.b0, best.seeds[seed]) }
      end
      asked[rows[i].key] = true
    end
  end
  if #wanted > 0 then self:run(wanted, false) end
  for _, row in ipairs(rows) do row.candidate = row.key and self.by_key[row.key] end
  return rows
end

-- One decision for a rule at a size; its regret, and whether that is a bound.
local function report(exp, limit, best, row)
  local head = string.format("rule %s at batch %d: ", row.rule, best.batch_size)
  if not row.lr then
    exp:note(head .. row.why)
    return nil
  end
  local arrived = row.candidate.steps < math.huge
  local regret = arrived and row.candidate.steps / best.steps or limit
  local runs = {}
  for i, result in ipairs(row.candidate.results) do runs[i] = result.run end
  exp:decide {
    kind = "rule", rule = row.rule, batch_size = best.batch_size, learning_rate = row.lr, target = best.target,
    regret = regret, at_least = not arrived, steps = arrived and math.floor(row.candidate.steps + 0.5) or nil,
    tuned = best.steps, runs = runs,
    text = head .. string.format("lr %.3g takes %s%.2f times the steps of lr %.3g", row.lr,
      arrived and "" or "at least ", regret, best.learning_rate),
  }
  return regret, not arrived
end

-- judge(exp, { from = critical_batch(...), rules = {"keep", "sqrt"}, limit = 2, b_star =, alpha = 0.5, noise_scale = })
function rules.judge(exp, options)
  local o = check.options(options, { "from", "rules", "limit", "b_star", "alpha", "noise_scale" }, "rules")
  if o.from == nil then error("rules needs from: what critical_batch returned") end
  local list = find_rules(o.rules)
  local declared = exp.config["sweep.rules_limit"]
  local judged = { limit = check.number(o.limit or declared or 4, 1, "limit", true),
    alpha = check.number(o.alpha or 0.5, 0, "alpha", true) }
  local base, fewest
  for _, p in ipairs(o.from) do
    if not p.censored then
      base = base or p
      fewest = math.min(fewest or p.steps, p.steps)
    end
  end
  if base == nil then return {} end
  judged.b0, judged.lr0 = base.batch_size, base.learning_rate
  judged.b_star = check.number(o.b_star or base.steps * base.batch_size / fewest, 0, "b_star", true)
  judged.noise_scale = o.noise_scale and check.number(o.noise_scale, 0, "noise_scale", true) or exp.config["sweep.noise_scale"]
  local sums = {}
  for i, rule in ipairs(list) do sums[i] = { rule = rule.name, log = 0, n = 0, worst = 0 } end
  for _, best in ipairs(o.from) do
    if best ~= base and not best.censored then
      for i, row in ipairs(run_rules(exp, judged, list, best)) do
        local regret, bound = report(exp, judged.limit, best, row)
        if regret then
          local sum = sums[i]
          sum.log, sum.n, sum.bound = sum.log + math.log(regret), sum.n + 1, sum.bound or bound
          sum.worst = math.max(sum.worst, regret)
        end
      end
    end
  end
  local words = {}
  for _, sum in ipairs(sums) do
    if sum.n > 0 then
      words[#words + 1] = string.format("%s %s%.2f (worst %.2f)", sum.rule, sum.bound and "at least " or "",
        math.exp(sum.log / sum.n), sum.worst)
    end
  end
  if #words > 0 then
    exp:note(string.format("following a rule from batch %d costs, in steps, %s", base.batch_size, table.concat(words, ", ")))
  end
  return sums
end

return rules
