// Sends the new password with the token of the link. The token stands in the
// address's fragment: browsers send it to nobody, and it is taken off the
// address here so that it stays in no history.
"use strict";

const token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
history.replaceState(null, "", location.pathname);

const form = document.getElementById("form");
const button = document.getElementById("reset");
const outcome = document.getElementById("outcome");

function tell(text, isGood) {
  outcome.textContent = text;
  outcome.toggleAttribute("data-good", isGood);
  outcome.toggleAttribute("data-bad", !isGood);
}

if (!token) {
  button.disabled = true;
  tell("This link is incomplete. Please open the link in the mail.", false);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    const answer = await fetch("/api/v1/auth/password-reset/confirm", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ token, new_password: form.elements.password.value }),
    });
    const said = await answer.json();
    const text = Array.isArray(said.detail) ? said.detail.map((d) => d.msg).join(", ") : said.detail;
    tell(answer.ok ? said.message : text, answer.ok);
    button.disabled = answer.ok;
  } catch {
    tell("The server could not be reached. Please try again.", false);
    button.disabled = false;
  }
});
