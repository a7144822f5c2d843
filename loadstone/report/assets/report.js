(function () {
  "use strict";

  var root = document.documentElement;
  var KEY = "loadstone-theme";
  root.classList.add("js");

  function stored() {
    try { return localStorage.getItem(KEY); } catch (error) { return null; }
  }

  function store(theme) {
    try { localStorage.setItem(KEY, theme); } catch (error) { /* a page from disk may have no storage */ }
  }

  function asked() {
    var match = /(?:^#|&)theme=(light|dark)/.exec(location.hash);
    return match ? match[1] : stored();
  }

  function isDark() {
    var theme = root.getAttribute("data-theme");
    return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  if (asked() === "light" || asked() === "dark") root.setAttribute("data-theme", asked());

  function parsed(id) {
    var holder = document.getElementById(id);
    return holder ? JSON.parse(holder.textContent) : null;
  }

  function say(text) {
    document.querySelector("[data-status]").textContent = text;
  }

  function selectText(node) {
    var range = document.createRange();
    range.selectNodeContents(node);
    var selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  function copy(button) {
    var id = button.getAttribute("data-copy");
    var text = id === "markdown" ? parsed(id) : document.getElementById(id).textContent;
    var label = button.textContent;
    function done() {
      button.textContent = "Copied";
      say("Copied");
      setTimeout(function () { button.textContent = label; }, 1600);
    }
    function oldWay() {
      var area = document.createElement("textarea");
      area.value = text;
      area.className = "hidden";
      document.body.appendChild(area);
      area.select();
      var copied = document.execCommand("copy");
      area.remove();
      if (copied) { done(); return; }
      say("Press Ctrl+C to copy");
      if (id !== "markdown") selectText(document.getElementById(id));
    }
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).then(done, oldWay);
    else oldWay();
  }

  function download(button) {
    var held = parsed(button.getAttribute("data-from")), table = typeof held === "string";
    var text = table ? held : JSON.stringify(held, null, 2) + "\n";
    var blob = new Blob([text], { type: table ? "text/csv" : "application/json" });
    var link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = button.getAttribute("data-download");
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    say("Download started");
  }

  function wireTheme(button) {
    function show() {
      button.textContent = isDark() ? "Light" : "Dark";
      button.setAttribute("aria-label", "Switch to " + button.textContent.toLowerCase() + " colours");
    }
    button.removeAttribute("aria-pressed");
    button.addEventListener("click", function () {
      var theme = isDark() ? "light" : "dark";
      root.setAttribute("data-theme", theme);
      store(theme);
      show();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    show();
  }

  function openAll(open) {
    document.querySelectorAll("details:not([data-screen])").forEach(function (one) {
      if (open && !one.open) { one.open = true; one.setAttribute("data-closed", ""); }
      if (!open && one.hasAttribute("data-closed")) { one.open = false; one.removeAttribute("data-closed"); }
    });
  }

  /* Flame graphs: a tree to walk by keyboard, each call of which can be seen over the whole width. */
  function wireFlames(box) {
    var told = box.querySelector("[data-told]");
    box.querySelectorAll("svg.flame").forEach(function (tree) {
      var frames = [].map.call(tree.querySelectorAll(".frame"), function (node) {
        return { node: node, x: parseFloat(node.getAttribute("x")), width: parseFloat(node.getAttribute("width")),
          level: Number(node.getAttribute("aria-level")) };
      });
      var zoomed = null;

      function show(frame) {
        var from = frame ? frame.x : 0, scale = frame ? 100 / frame.width : 1, end = frame ? frame.x + frame.width : 100;
        zoomed = frame;
        frames.forEach(function (one) {
          var left = Math.max(one.x, from), right = Math.min(one.x + one.width, end), width = (right - left) * scale;
          var seen = width > 0.1;
          one.node.setAttribute("display", seen ? "inline" : "none");
          one.node.setAttribute("x", (left - from) * scale + "%");
          one.node.setAttribute("width", Math.max(width, 0) + "%");
          var text = one.node.querySelector("text");
          if (!text && width > 3) {
            text = document.createElementNS(tree.namespaceURI, "text");
            text.setAttribute("x", 4);
            text.setAttribute("y", 13);
            text.textContent = one.node.getAttribute("aria-label").split(": ")[0];
            one.node.appendChild(text);
          }
        });
      }

      function tell(frame) { told.textContent = frame ? frame.node.getAttribute("aria-label") : "\u00a0"; }

      function go(frame) {
        if (!frame) return;
        frames.forEach(function (one) { one.node.setAttribute("tabindex", one === frame ? 0 : -1); });
        frame.node.focus();
      }

      function near(frame, key) {
        var at = frames.indexOf(frame), i;
        if (key === "Home") return frames[0];
        if (key === "ArrowDown") return frames[at + 1] && frames[at + 1].level === frame.level + 1 ? frames[at + 1] : null;
        var step = key === "ArrowRight" ? 1 : -1, level = key === "ArrowUp" ? frame.level - 1 : frame.level;
        for (i = at + step; i >= 0 && i < frames.length; i += step) if (frames[i].level === level) return frames[i];
        return null;
      }

      frames.forEach(function (frame) {
        frame.node.addEventListener("click", function () { show(zoomed === frame ? null : frame); go(frame); });
        frame.node.addEventListener("mouseenter", function () { tell(frame); });
        frame.node.addEventListener("focus", function () { tell(frame); });
        frame.node.addEventListener("keydown", function (event) {
          if (event.key === "Enter" || event.key === " ") show(zoomed === frame ? null : frame);
          else if (event.key === "Escape") show(null);
          else if (/^(Arrow|Home)/.test(event.key)) go(near(frame, event.key));
          else return;
          event.preventDefault();
        });
      });
      addEventListener("beforeprint", function () { show(null); });
      if (frames[0]) frames[0].node.setAttribute("tabindex", 0);
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-flames]").forEach(wireFlames);
    document.querySelectorAll("[data-copy]").forEach(function (button) {
      button.addEventListener("click", function () { copy(button); });
    });
    document.querySelectorAll("[data-download]").forEach(function (button) {
      button.addEventListener("click", function () { download(button); });
    });
    document.querySelectorAll("[data-theme-switch]").forEach(wireTheme);
    addEventListener("beforeprint", function () { openAll(true); });
    addEventListener("afterprint", function () { openAll(false); });
  });
})();
