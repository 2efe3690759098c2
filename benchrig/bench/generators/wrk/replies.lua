-- The replies of one thread: each is held against what the routes expect, and counted by the routes that it fits.
--
-- A class is a status with the routes whose expectation a reply fits. wrk does not say which request a reply answers, so the
-- numbers by class are compared with the numbers of requests, after the run. A body that was compared once is kept with its
-- class: the same body again costs two look-ups, because Lua has every text only once.

local routes = traffic.routes
local find, concat, format = string.find, table.concat, string.format

local MOST_KEPT, MOST_KEPT_BYTES = 64, 4 * 1024 * 1024

-- Globals, because `done` reads them from another Lua state.
benchrig_counts, benchrig_classes = {}, {} -- by number of the class: its replies, its name
benchrig_wrong, benchrig_example, benchrig_wrong_statuses = 0, "", {}
benchrig_sent = {} -- by number of the unit; empty when wrk itself sends one constant request

-- A unit is what requests and replies are counted by: a route, or a group of its answers, each of which has its requests.
local units = {} -- by number: the name as JSON
for _, route in ipairs(routes) do
  route.first = #units
  for _, name in ipairs(route.json_names) do units[#units + 1] = name end
end

local counts, classes = benchrig_counts, benchrig_classes
local by_status, known, joined, kept, kept_bytes = {}, {}, {}, 0, 0

local function new_class(name)
  classes[#classes + 1], counts[#counts + 1], joined[#joined + 1] = name, 0, {}
  return #classes
end

-- Returns the class of replies that fit the units of `class` and one more.
local function join(class, unit)
  local found = joined[class][unit]
  if not found then
    found = new_class(classes[class] .. " " .. unit)
    joined[class][unit] = found
  end
  return found
end

for _, route in ipairs(routes) do
  if route.answers then
    route.right = {}
    for _, answer in ipairs(route.answers) do route.right[answer[1]] = route.first + answer[2] end
  end
end

-- Returns the unit that a reply fits, or nothing.
local function fits(route, body)
  if route.right then return route.right[body] end
  local found
  if route.pattern then
    found = find(body, route.pattern)
  else
    found = route.contains == "" or find(body, route.contains, 1, true)
  end
  return found and route.first + 1
end

local function compare(status, body)
  local root = by_status[status]
  if not root then return false end
  local class = root.class
  for i = 1, #root do
    local unit = fits(routes[root[i]], body)
    if unit then class = join(class, unit) end
  end
  return class ~= root.class and class
end

-- Returns the class of a reply, or false when it fits no route.
local function classify(status, body)
  local class = compare(status, body)
  if class and kept < MOST_KEPT and kept_bytes + #body <= MOST_KEPT_BYTES then
    kept, kept_bytes = kept + 1, kept_bytes + #body
    known[status][body] = class
  end
  return class
end

for index, route in ipairs(routes) do
  if not by_status[route.status] then
    by_status[route.status], known[route.status] = {class = new_class(tostring(route.status))}, {}
  end
  table.insert(by_status[route.status], index)
end
for _, route in ipairs(routes) do
  for _, answer in ipairs(route.answers or {}) do known[route.status][answer[1]] = compare(route.status, answer[1]) end
end

local function note_wrong(status, body)
  benchrig_wrong = benchrig_wrong + 1
  benchrig_wrong_statuses[status] = (benchrig_wrong_statuses[status] or 0) + 1
  if benchrig_wrong == 1 then benchrig_example = status .. " " .. string.sub(body, 1, 200) end
end

-- Returns the function that checks each reply: `take` gets the right ones, `their_response` all.
local function checking(take, their_response)
  if take or their_response then
    return function(status, headers, body)
      local bodies = known[status]
      local class = bodies and bodies[body] or classify(status, body)
      if not class then
        note_wrong(status, body)
      else
        counts[class] = counts[class] + 1
        if take then take(status, body) end
      end
      if their_response then their_response(status, headers, body) end
    end
  end
  return function(status, _, body)
    local bodies = known[status]
    local class = bodies and bodies[body] or classify(status, body)
    if class then
      counts[class] = counts[class] + 1
    else
      note_wrong(status, body)
    end
  end
end

-- A JSON string with one character for each byte; the reader knows.
local function text(value)
  return '"' .. string.gsub(value, '[^ !#-%[%]-~]', function(c) return format("\\u%04x", string.byte(c)) end) .. '"'
end

local function fields(numbers, name)
  local made = {}
  for key, value in pairs(numbers) do
    if value > 0 then made[#made + 1] = format('%s: %d', name(key), value) end
  end
  return concat(made, ", ")
end

-- Returns how many replies all threads checked, and the members of JSON about them.
local function told(threads)
  local by_class, statuses, sent, wrong, example = {}, {}, {}, 0, ""
  local function add(numbers, key, value) numbers[key] = (numbers[key] or 0) + value end
  for _, thread in ipairs(threads) do
    local names = thread:get("benchrig_classes")
    for class, count in ipairs(thread:get("benchrig_counts")) do
      add(by_class, names[class], count)
      add(statuses, string.match(names[class], "%d+"), count)
    end
    for status, count in pairs(thread:get("benchrig_wrong_statuses")) do add(statuses, tostring(status), count) end
    for unit, count in ipairs(thread:get("benchrig_sent")) do add(sent, unit, count) end
    wrong = wrong + thread:get("benchrig_wrong")
    if example == "" then example = thread:get("benchrig_example") end
  end
  local checked, replies = wrong, {}
  for name, count in pairs(by_class) do
    checked = checked + count
    if count > 0 then
      local status, numbers = string.match(name, "(%d+)(.*)")
      local fitted = {}
      for unit in string.gmatch(numbers, "%d+") do fitted[#fitted + 1] = units[tonumber(unit)] end
      replies[#replies + 1] = format('{"status": %s, "routes": [%s], "replies": %d}', status, concat(fitted, ", "), count)
    end
  end
  table.sort(replies)
  return checked, format(
    '"replies_checked": %d, "replies_wrong": %d, "wrong_example": %s, "statuses": {%s}, "sent": {%s}, "replies": [%s]',
    checked, wrong, text(example), fields(statuses, text), fields(sent, function(unit) return units[unit] end),
    concat(replies, ", "))
end

