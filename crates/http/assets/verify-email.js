// Posts the token of the link. Opening the page alone does nothing, since mail
// scanners open links too.
"use strict";

const form = document.getElementById("form");
const button = document.getElementById("verify");
const outcome = document.getElementById("outcome");

function tell(text, isGood) {
  outcome.textContent = text;
  outcome.toggleAttribute("data-good", isGood);
  outcome.toggleAttribute("data-bad", !isGood);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    const answer = await fetch("/api/v1/auth/verify-email", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ token: form.dataset.token }),
    });
    const document_ = await answer.json();
    tell(answer.ok ? document_.message : String(document_.detail), answer.ok);
    if (answer.status >= 500 || answer.status === 429) button.disabled = false;
  } catch {
    tell("The server could not be reached. Please try again.", false);
    button.disabled = false;
  }
});
