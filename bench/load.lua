-- What wrk sends, and how it prints the figures. Argument: the body of a POST; without one, it sends GETs.
function init(arguments)
  if arguments[1] then
    wrk.method = "POST"
    wrk.body = arguments[1]
    wrk.headers["Content-Type"] = "application/json"
  end
end

function done(summary, latency, requests)
  local wrong = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "p99": %f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3,
    wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout
  ))
end
