// Before anything is drawn, and so no module: the theme that was chosen here. Without it the page would
// flash in the system's.
try {
  const theme = localStorage.getItem("quire.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing has no choice to remember.
}
