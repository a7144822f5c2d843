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
    var blob = new Blob([JSON.stringify(parsed("result"), null, 2) + "\n"], { type: "application/json" });
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
    document.querySelectorAll("details").forEach(function (one) {
      if (open && !one.open) { one.open = true; one.setAttribute("data-closed", ""); }
      if (!open && one.hasAttribute("data-closed")) { one.open = false; one.removeAttribute("data-closed"); }
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
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
