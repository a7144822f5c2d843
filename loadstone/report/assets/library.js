(function () {
  "use strict";

  var runs = [];

  function make(tag, text, kind) {
    var node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  }

  function filter() {
    var words = document.getElementById("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    var verdict = document.getElementById("verdict").value;
    var kind = document.getElementById("kind").value;
    var shown = 0;
    document.querySelectorAll(".runs tbody tr").forEach(function (row) {
      var text = row.textContent.toLowerCase();
      var fits = words.every(function (word) { return text.indexOf(word) >= 0; });
      row.hidden = !fits || (verdict !== "" && row.getAttribute("data-verdict") !== verdict) ||
        (kind !== "" && row.getAttribute("data-kind") !== kind);
      shown += row.hidden ? 0 : 1;
    });
    document.querySelector(".nothing").classList.toggle("shown", shown === 0);
  }

  function picked() {
    return Array.prototype.map.call(document.querySelectorAll(".pick input:checked"), function (box) {
      return Number(box.value);
    }).sort(function (a, b) { return b - a; });
  }

  function unlike(first, second) {
    if (first.kind !== second.kind) return ["kind"];
    return Object.keys(first.alike).filter(function (name) { return first.alike[name] !== second.alike[name]; });
  }

  function keyOf(one) { return [one.metric, one.endpoint, one.variant].join("\u0000"); }

  function refusal(first, second, names) {
    var box = make("div", undefined, "concern fail");
    box.appendChild(make("p", "These two runs cannot be compared: kind, machine or workload differ."));
    var list = make("ul");
    names.forEach(function (name) {
      list.appendChild(make("li", name + ": " + first.alike[name] + " against " + second.alike[name]));
    });
    box.appendChild(list);
    return box;
  }

  function side(one) {
    if (!one) return "not measured";
    return one.interval ? one.text + " (" + one.interval + ")" : one.text;
  }

  function hasInterval(one) { return Boolean(one) && one.low !== null && one.high !== null; }

  function relation(one, other) {
    if (hasInterval(one) && hasInterval(other)) {
      return one.low <= other.high && other.low <= one.high ? "overlap" : "apart";
    }
    if (!other || !one.level || other.level === null) return "";
    var change = (other.level / one.level - 1) * 100;
    return (change < 0 ? "\u2212" : "+") + Math.abs(change).toFixed(1) + "%";
  }

  function table(first, second) {
    var others = {};
    second.measures.forEach(function (one) { others[keyOf(one)] = one; });
    var node = make("table", undefined, "numbers compared");
    var head = node.createTHead().insertRow();
    ["Metric", "Endpoint", first.started, second.started, "Second to first"].forEach(function (name) {
      var cell = make("th", name);
      cell.scope = "col";
      head.appendChild(cell);
    });
    var body = node.createTBody();
    first.measures.forEach(function (one) {
      var other = others[keyOf(one)];
      var told = relation(one, other);
      var row = body.insertRow();
      var name = make("th", one.variant ? one.metric + ", " + one.variant : one.metric);
      name.scope = "row";
      row.appendChild(name);
      [one.endpoint || "all", side(one), side(other)].forEach(function (text) { row.appendChild(make("td", text)); });
      row.appendChild(make("td", told, told === "apart" ? "apart" : ""));
    });
    return node;
  }

  function compare() {
    var place = document.getElementById("side-by-side");
    var both = picked();
    place.textContent = "";
    if (both.length !== 2) {
      place.appendChild(make("p", "Choose two runs in the table above.", "lead"));
      return;
    }
    var first = runs[both[0]], second = runs[both[1]];
    place.appendChild(make("p", first.title + ", " + first.started + "; " + second.title + ", " + second.started, "lead"));
    var names = unlike(first, second);
    var scroll = make("div", undefined, "scroll");
    scroll.appendChild(names.length ? refusal(first, second, names) : table(first, second));
    place.appendChild(scroll);
    if (!names.length && !first.measures.every(hasInterval)) {
      place.appendChild(make("p", "Numbers without an interval come from one run each: whether they differ by more than two runs of the same thing do is not known.", "note"));
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    runs = JSON.parse(document.getElementById("runs").textContent);
    document.getElementById("words").addEventListener("input", filter);
    document.getElementById("verdict").addEventListener("change", filter);
    document.getElementById("kind").addEventListener("change", filter);
    document.querySelectorAll(".pick input").forEach(function (box) {
      box.addEventListener("change", function () {
        var all = document.querySelectorAll(".pick input:checked");
        if (all.length > 2) {
          var others = Array.prototype.filter.call(all, function (one) { return one !== box; });
          others[0].checked = false;
        }
        compare();
      });
    });
    compare();
  });
})();
