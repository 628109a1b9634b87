"use strict";
// Loaded by every page, needed by none.
(() => {
  const address = document.currentScript.dataset.seen;

  // A page is seen once it is visible: browsers also load pages that nobody looks at yet.
  const tell = () => {
    if (document.visibilityState !== "visible") return;
    document.removeEventListener("visibilitychange", tell);
    if (!navigator.sendBeacon?.(address)) fetch(address, { method: "POST", keepalive: true }).catch(() => {});
  };
  document.addEventListener("visibilitychange", tell);
  tell();

  // A player that can't play its file makes room for the download button below it.
  for (const player of document.querySelectorAll("[data-doubtful]")) {
    const giveUp = () => { player.hidden = true; };
    if (player.error) giveUp();
    else player.addEventListener("error", giveUp);
  }
})();
