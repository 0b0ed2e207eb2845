-- Steps to target against batch size, the learning rate retuned at every size.
local check = require "check"
local grid = require "grid"
local race = require "race"
local critical = {}

local function describe(best, predicted)
  local head = string.format("batch %d: ", best.batch_size)
  local bracket = best.bracketed and "bracketed" or "not bracketed: at a limit of the grid"
  if best.censored then
    return head .. string.format("target %.4g not reached within %s steps; lr %.3g came closest (%s)",
      best.target, check.commas(best.steps), best.learning_rate, bracket)
  end
  local text = head .. string.format("best lr %.3g (%s), %s steps", best.learning_rate, bracket,
    check.commas(best.steps))
  if predicted then
    text = text .. "; perfect scaling predicts " .. check.commas(math.floor(predicted + 0.5))
  end
  return text
end

local function report(exp, best, first)
  if not best.feasible then
    return exp:note("batch " .. best.batch_size .. " does not fit in memory")
  end
  local predicted = first and first.steps * first.batch_size / best.batch_size
  exp:decide {
    kind = "best", text = describe(best, predicted), batch_size = best.batch_size,
    learning_rate = best.learning_rate, target = best.target, steps = best.steps,
    censored = best.censored, bracketed = best.bracketed, runs = best.runs,
  }
end

-- The largest size up to which no size took more than `1 + overhead` times the examples of the
-- first, and the smallest whose steps are within a tenth of the fewest. The report fits curves with
-- intervals to the same runs; this is the line a reader gets while the sweep ends.
local function summary(exp, points)
  local first, last, fewest
  for _, p in ipairs(points) do
    if not p.censored then
      first = first or p
      fewest = math.min(fewest or p.steps, p.steps)
    end
  end
  if first == nil then
    return exp:decide { kind = "critical", text = "no batch size reached the target", reached = 0 }
  end
  local unbroken, useful, reached = true, nil, 0
  for _, p in ipairs(points) do
    if not p.censored then
      reached = reached + 1
      if p.steps * p.batch_size > 1.2 * first.steps * first.batch_size then unbroken = false end
      if unbroken then last = p end
      if useful == nil and p.steps <= 1.1 * fewest then useful = p end
    end
  end
  exp:decide {
    kind = "critical", reached = reached, overhead_20 = last.batch_size, max_useful = useful.batch_size,
    text = string.format("within 20 %% of perfect scaling up to batch %d; steps within 10 %% of the "
      .. "fewest (%s) from batch %d on", last.batch_size, check.commas(fewest), useful.batch_size),
  }
end

-- critical_batch(exp, { batch = {32, 64, ...}, retune = { lr = log2grid{...}, rule = "sqrt" }, ... })
-- runs every size, smallest first, each race centred where the size before suggests. Returns the
-- best of each size that fits in memory (see race.retune), in order.
function critical.critical_batch(exp, options)
  local o = check.options(options, { "batch", "retune", "seeds", "target", "slack", "max_steps",
    "max_epochs", "settings" }, "critical_batch")
  local retune = check.options(o.retune, { "lr", "rule", "slack" }, "critical_batch's retune")
  local sizes = check.batch_sizes(exp, o.batch or exp.config["sweep.batch_sizes"])
  local targets = exp.config["sweep.targets"]
  local target = o.target or targets[#targets]
  if target == nil then error("no target: set sweep.targets, or pass target = ...") end
  local rule = retune.rule or exp.config["sweep.lr_rule"]
  local g = grid.resolve(exp, retune.lr)
  grid.shift(g, rule, 1)
  local points, center, first, before = {}, g.start, nil, nil
  for _, size in ipairs(sizes) do
    if before then
      center = g:rate(g:nearest(before.index + grid.shift(g, rule, size / before.batch_size)))
    end
    local best = race.retune(exp, {
      batch_size = size, target = target, lr = retune.lr, center = center, seeds = o.seeds,
      slack = retune.slack or o.slack, max_steps = o.max_steps, max_epochs = o.max_epochs,
      settings = o.settings,
    })
    report(exp, best, first)
    if best.feasible then
      points[#points + 1] = best
      before = best
      if not best.censored then first = first or best end
    end
  end
  if #points > 0 then summary(exp, points) end
  return points
end

return critical
