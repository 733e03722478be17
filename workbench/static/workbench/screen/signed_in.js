// Tells the screen in the other tab that its reader is signed in again.
new BroadcastChannel("workbench-signed-in").postMessage(document.querySelector("[data-user]").dataset.user);
