-- What the tests of the sweep library share. A file *_test.lua returns testing.cases { ... }, a list of
--   { "what holds", function(exp) ... end }
--   { "what holds", "sweep.max_steps=300 noise=0.3", function(exp) ... end }
--   testing.refused(function(exp) ... end, "what the script is told")
-- tests/unit/sweep_lua_test.c runs each case for itself, against runs that are a closed form
-- (tests/unit/fake_host.h). Words with a dot are settings of the experiment, others are the host's. The
-- experiment that a case gets keeps what was asked for: see Watched.
local testing = {}

local function describe(record)
  local names, words = {}, {}
  for name in pairs(record) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for i, name in ipairs(names) do words[i] = tostring(name) .. " = " .. tostring(record[name]) end
  return "{ " .. table.concat(words, ", ") .. " }"
end

local function has(record, fields)
  for name, value in pairs(fields) do
    if record[name] ~= value then return false end
  end
  return true
end

local function matching(list, fields)
  local found = {}
  for _, record in ipairs(list) do
    if has(record, fields) then found[#found + 1] = record end
  end
  return found
end

local function expect(list, fields, what)
  local found = matching(list, fields)
  if #found > 0 then return found[1] end
  local words = {}
  for i, record in ipairs(list) do words[i] = describe(record) end
  error("no " .. what .. " " .. describe(fields) .. " among\n" .. table.concat(words, "\n"), 0)
end

-- An experiment that keeps its rounds (as they were asked for), its trials (each with the fields of its
-- result, and the round's number) and its decisions. `real` is the experiment behind it.
local Watched = {}

function Watched:run(round)
  local results = self.real:run(round)
  self.rounds[#self.rounds + 1] = round
  for i, trial in ipairs(round) do
    local both = { round = #self.rounds }
    for name, value in pairs(results[i]) do both[name] = value end
    for name, value in pairs(trial) do both[name] = value end
    both.max_steps = results[i].max_steps
    self.trials[#self.trials + 1] = both
  end
  return results
end

function Watched:decide(fields)
  self.decisions[#self.decisions + 1] = fields
  return self.real:decide(fields)
end

function Watched:note(text)
  self.decisions[#self.decisions + 1] = { kind = "note", text = text }
  return self.real:note(text)
end

-- The first decision or trial with these fields; an error that lists all when there is none.
function Watched:decision(fields) return expect(self.decisions, fields, "decision") end
function Watched:trial(fields) return expect(self.trials, fields, "trial") end

function Watched:count(list, fields) return #matching(self[list], fields) end

-- The first text of a decision, or reason of a trial, that contains the words; nil when none does.
function Watched:finds(words)
  for _, d in ipairs(self.decisions) do
    if d.text:find(words, 1, true) then return d.text end
  end
  for _, t in ipairs(self.trials) do
    if t.reason and t.reason:find(words, 1, true) then return t.reason end
  end
end

function Watched:says(words)
  if self:finds(words) then return end
  local all = {}
  for _, d in ipairs(self.decisions) do all[#all + 1] = d.text end
  for _, t in ipairs(self.trials) do all[#all + 1] = tostring(t.reason) end
  error("nothing says '" .. words .. "':\n" .. table.concat(all, "\n"), 0)
end

function testing.watch(exp)
  local own = { real = exp, rounds = {}, trials = {}, decisions = {} }
  return setmetatable(own, { __index = function(_, name)
    if Watched[name] then return Watched[name] end
    local value = exp[name]
    if type(value) ~= "function" then return value end
    return function(_, ...) return value(exp, ...) end
  end })
end

-- An experiment whose runs are answer(trial) -> evaluations, outcome; and the list of its trials.
function testing.scripted(exp, answer)
  local log, own = {}, testing.watch(exp)
  function own.run(_, round)
    local results = {}
    for i, t in ipairs(round) do
      local evals, outcome = answer(t)
      log[#log + 1] = t
      results[i] = { run = tostring(#log), outcome = outcome or "target", evals = evals,
        steps = evals[#evals].step, max_steps = t.max_steps or 99 }
    end
    return results
  end
  own.note, own.decide = function() end, function() end
  own.grid_ceil = function(_, n) return n end
  return own, log
end

-- A case whose script ends in an error: call(exp), which stands on the line of this call. `message` is the whole
-- first line of what the script is told, after this file and the line. Options may follow, as in other cases.
function testing.refused(call, message, options)
  local _, here = pcall(error, "", 3)
  return { message, options or "", function(exp) call(exp.real) end, error = here .. message }
end

-- f() has to end in an error whose text, without the line before it, is `message`: for what holds after it was
-- caught.
function testing.refuses(message, f)
  local went, text = pcall(f)
  if went then error("accepted; expected: " .. message, 0) end
  local said = tostring(text):gsub("^[^\n:]*:%d+: ", "")
  if said ~= message then error("says     " .. said .. "\nexpected " .. message, 0) end
end

function testing.log2(x) return math.log(x, 2) end

-- Without a preset the cases are told to the host; else the preset is the number of the one to run.
function testing.cases(list)
  return function(exp)
    if exp.preset ~= "" then return list[tonumber(exp.preset)][#list[tonumber(exp.preset)]](testing.watch(exp)) end
    for _, case in ipairs(list) do
      exp:note(case[1] .. " | " .. (#case == 3 and case[2] or "") .. " | " .. (case.error or ""))
    end
  end
end

return testing
