(function () {
  "use strict";

  function say(text) {
    var status = document.querySelector("[data-status]");
    if (status.textContent !== text) status.textContent = text;
  }

  document.addEventListener("DOMContentLoaded", function () {
    var source = new EventSource("events");
    var lost = document.querySelector("[data-lost]");
    source.addEventListener("shown", function (event) {
      var told = JSON.parse(event.data);
      lost.hidden = true;
      document.title = told.title;
      document.getElementById("main").innerHTML = told.body;
      if (told.say) say(told.say);
    });
    source.addEventListener("over", function () {
      source.close();
      location.reload();
    });
    source.onerror = function () { lost.hidden = false; };
  });
})();
