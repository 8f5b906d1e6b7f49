// The bars around one decision, its bar marked.
(() => {
  const root = document.getElementById("decision");
  const mark = () => Charts.mark(Number(root.dataset.barMs), root.dataset.words);
  Charts.start(root.dataset.chart, mark);
  document.addEventListener("themechange", mark);
})();
