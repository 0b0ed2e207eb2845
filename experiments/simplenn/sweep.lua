-- With a target: steps until the net knows most of the points by heart, the learning rate retuned at every size;
-- what epoch and step budgets would have chosen; and the rules keep, square root and linear judged.
--
-- Without a target: the flow of a popular comparison. Every size trains for the same epochs at a rate that follows
-- from train.learning_rate at train.batch_size by one of the three rules, or is retuned. Its error is looked at on
-- new points, and where the rate is kept also on those that it trained on.
local sweep = require "sweep"

local rules = {
  { name = "new points", factor = function() return 1 end },
  { name = "square root", factor = function(ratio) return math.sqrt(ratio) end },
  { name = "linear", factor = function(ratio) return ratio end },
}

-- What sweep.budgets reads at each size: one evaluation, at the last step.
local function sizes_at(exp, epochs, split, factor)
  local config, list, seeds = exp.config, {}, {}
  for s = 1, config["sweep.seeds"] do seeds[s] = config["train.seed"] + s - 1 end
  for i, size in ipairs(config["sweep.batch_sizes"]) do
    local rate = factor and config["train.learning_rate"] * factor(size / config["train.batch_size"])
    list[i] = { batch_size = size, learning_rate = rate, seeds = seeds,
      settings = { ["data.split"] = split, ["eval.first"] = math.max(1, epochs * exp.epoch_rows // size) } }
  end
  return list
end

local function flow(exp)
  local epochs = exp.config["sweep.budget_epochs"]
  local function series(name, split, factor)
    sweep.budgets(exp, { from = sizes_at(exp, epochs, split, factor), epochs = epochs, retune = factor == nil,
      series = name })
  end
  series("trained points", "train", rules[1].factor)
  for _, rule in ipairs(rules) do series(rule.name, "valid", rule.factor) end
  series("retuned", "valid")
end

return function(exp)
  local config = exp.config
  if #config["sweep.targets"] == 0 then return flow(exp) end
  local points = sweep.critical_batch(exp, {
    batch = config["sweep.batch_sizes"],
    retune = { lr = sweep.log2grid { step = config["sweep.lr_step"] }, rule = config["sweep.lr_rule"] },
    seeds = config["sweep.seeds"],
  })
  sweep.rules(exp, { from = points, rules = { "keep", "sqrt", "linear" } })
  sweep.budgets(exp, { from = points, epochs = config["sweep.budget_epochs"], steps = config["sweep.budget_steps"] })
end
