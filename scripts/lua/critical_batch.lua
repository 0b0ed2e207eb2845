-- Steps to target against batch size, the learning rate (or all settings of a box) retuned at every size.
--
-- Sizes run from the smallest up. The best rate of one size, moved by a rule, is where the race of the next
-- begins: that saves steps and does not decide the outcome. Each size ends in a decision of kind "best" for
-- each target, the whole in one of kind "critical".
local check = require "check"
local grid = require "grid"
local race = require "race"
local search = require "search"
local fresh = require "fresh"
local critical = {} -- report and summary are for imported.lua, too

local function describe(best, predicted, head)
  local bracket = best.bracketed and "bracketed" or "not bracketed: at a limit of the grid"
  if best.box then bracket = search.describe(best) end
  if best.censored then
    return head .. string.format("target %.4g not reached within %s steps; lr %.3g came closest (%s)",
      best.target, check.commas(best.steps), best.learning_rate, bracket)
  end
  local text = head .. string.format("best lr %.3g (%s), %s steps", best.learning_rate, bracket,
    check.commas(best.steps))
  if best.fresh_seeds then
    text = text .. string.format(" on %d fresh seeds (%s on those that chose it)", best.fresh_seeds,
      check.commas(best.chosen_steps))
  end
  if predicted then
    text = text .. "; perfect scaling predicts " .. check.commas(math.floor(predicted + 0.5))
  end
  return text
end

-- One line for the best of a size and target; `first` is the smallest size that arrived.
function critical.report(exp, best, first, main, series)
  local predicted = first and first.steps * first.batch_size / best.batch_size
  local head = string.format(main and "%sbatch %d: " or "%sbatch %d to %.4g: ", check.series(series),
    best.batch_size, best.target)
  exp:decide {
    kind = "best", text = describe(best, predicted, head), series = series, batch_size = best.batch_size,
    learning_rate = best.learning_rate, target = best.target, steps = best.steps,
    censored = best.censored, bracketed = best.bracketed, runs = best.runs, points = best.points,
    settings = next(best.settings) and best.settings or nil, refined = best.refined, box = best.box,
    whole_grid = best.whole_grid, fresh_seeds = best.fresh_seeds,
  }
end

-- What came nearest to a target that no size reached, and what to do about it.
local function closest(points)
  local best
  for _, p in ipairs(points) do
    if p.value < math.huge and (best == nil or p.value < best.value) then best = p end
  end
  if best == nil then return "every run diverged: lower sweep.lr_start or lr_min" end
  return string.format("the closest was %.4g, batch %d at lr %.3g: raise the target or the budget",
    best.value, best.batch_size, best.learning_rate)
end

-- The largest size up to which no size took more than `1 + overhead` times the examples of the
-- first, and the smallest whose steps are within a tenth of the fewest. The report fits curves with
-- intervals to the same runs; this is the line a reader gets while the sweep ends.
function critical.summary(exp, points, target, main, series)
  local head = check.series(series) .. (main and "" or string.format("to %.4g: ", target))
  local first, last, fewest
  for _, p in ipairs(points) do
    if not p.censored then
      first = first or p
      fewest = math.min(fewest or p.steps, p.steps)
    end
  end
  if first == nil then
    return exp:decide {
      kind = "critical", series = series, target = target, reached = 0,
      text = head .. string.format("no batch size reached the target %.4g; %s", target, closest(points)),
    }
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
    kind = "critical", series = series, target = target, reached = reached, overhead_20 = last.batch_size,
    max_useful = useful.batch_size,
    text = head .. string.format("within 20 %% of perfect scaling up to batch %d; steps within 10 %% of the "
      .. "fewest (%s) from batch %d on", last.batch_size, check.commas(fewest), useful.batch_size),
  }
end

-- How the hyperparameters of one size are found: a list of answers, one for each target.
local function retuner(exp, o)
  local retune = check.options(o.retune, { "lr", "rule", "slack", "guard", "lr_search", "box", "trials", "widen", "finalists" },
    "critical_batch's retune")
  local common = { seeds = o.seeds, slack = retune.slack or o.slack, max_steps = o.max_steps,
    max_epochs = o.max_epochs, settings = o.settings, targets = o.targets }
  local head = check.series(o.series)
  local function with(more)
    for name, value in pairs(common) do more[name] = value end
    return more
  end
  if retune.box then
    if retune.lr or retune.rule or retune.lr_search then
      error("critical_batch's retune takes a box, or lr, rule and lr_search: not both")
    end
    return function(size)
      return search.search_all(exp, with { batch_size = size, title = head .. "batch " .. size,
        box = retune.box, trials = retune.trials,
        widen = retune.widen, finalists = retune.finalists })
    end
  end
  if retune.trials or retune.widen or retune.finalists then
    error("critical_batch's retune: trials, widen and finalists belong to a box")
  end
  local rule = retune.rule or exp.config["sweep.lr_rule"]
  local g = grid.resolve(exp, retune.lr)
  grid.shift(g, rule, 1)
  return function(size, smaller)
    local center, because = g.start, "the grid's start"
    if smaller then
      center = g:rate(g:nearest(smaller.index + grid.shift(g, rule, size / smaller.batch_size)))
      because = string.format("batch %d's best, %.3g, moved by the rule %s", smaller.batch_size,
        smaller.learning_rate, rule)
    end
    return race.retune_all(exp, with { batch_size = size, title = head .. "batch " .. size, lr = retune.lr,
      center = center, because = because, guard = retune.guard, lr_search = retune.lr_search })
  end
end

-- The gap between two sizes in which the examples grow to more than twice those of the smallest size. Returns
-- the whole number in its geometric middle, the answer below the gap, and the place of the answer above it;
-- nil when there is no gap, or no number in it.
local function knee(points)
  local first
  for i, p in ipairs(points) do
    if not p.censored then
      first = first or p
      if p.steps * p.batch_size > 2 * first.steps * first.batch_size then
        local below = points[i - 1]
        local middle = math.floor(math.sqrt(below.batch_size * p.batch_size) + 0.5)
        if middle > below.batch_size and middle < p.batch_size then return middle, below, i end
        return nil
      end
    end
  end
end

-- critical_batch(exp, { batch = {32, 64, ...}, retune = { lr = log2grid{...}, rule = "sqrt" }, ... })
-- runs every size, smallest first. Returns the answer of each size that fits in memory (see race.retune), in
-- order, for the hardest target: what budgets, rules and compare take as `from`. The second result is a list
-- of such lists, one for each target, easiest first.
function critical.critical_batch(exp, options)
  local o = check.options(options, { "batch", "retune", "seeds", "target", "targets", "slack", "max_steps",
    "max_epochs", "settings", "refine", "series" }, "critical_batch")
  if o.target and o.targets then error("critical_batch takes a target or targets, not both") end
  local sizes = check.batch_sizes(exp, o.batch or exp.config["sweep.batch_sizes"])
  local targets = check.targets(exp, o.targets or o.target and { o.target } or exp.config["sweep.targets"])
  if #targets == 0 then error("no target: set sweep.targets, or pass target = ...") end
  local refine = check.whole(o.refine or 0, 0, "refine")
  local tune = retuner(exp, { retune = o.retune, seeds = o.seeds, slack = o.slack, max_steps = o.max_steps,
    max_epochs = o.max_epochs, settings = o.settings, targets = targets, series = o.series })
  local all, first = {}, {}
  for t = 1, #targets do all[t] = {} end
  local main = all[#targets]
  local function run(size, smaller, at)
    local answers = tune(size, smaller)
    if not answers[#targets].feasible then return exp:note("batch " .. size .. " does not fit in memory") end
    for t, best in ipairs(answers) do
      best.refined = at ~= nil or nil
      critical.report(exp, best, first[t], t == #targets, o.series)
      table.insert(all[t], at or #all[t] + 1, best)
      if not best.censored then first[t] = first[t] or best end
    end
  end
  for _, size in ipairs(sizes) do run(size, main[#main]) end
  for _ = 1, refine do
    local size, smaller, at = knee(main)
    if size == nil then break end
    exp:note(string.format("the examples double between batch %d and %d: batch %d is added",
      smaller.batch_size, main[at].batch_size, size))
    run(size, smaller, at)
  end
  local changed = fresh.sharpen(exp, main, { confirm = exp.config["sweep.confirm_seeds"],
    all = exp.config["sweep.confirm"] == "all", rate = exp.config["sweep.confirm_rate"],
    precision = exp.config["sweep.precision"], seeds = #check.seeds(exp, o.seeds),
    max_epochs = o.max_epochs or exp.config["sweep.max_epochs"], max_steps = o.max_steps, series = o.series })
  for _, best in ipairs(changed) do critical.report(exp, best, first[#targets], true, o.series) end
  for t, target in ipairs(targets) do
    if #main > 0 then critical.summary(exp, all[t], target, t == #targets, o.series) end
  end
  return main, all
end

return critical
