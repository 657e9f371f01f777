// drop-downs above each table of steps: they show the rows that have the chosen values
for (const part of document.querySelectorAll(".question")) {
  const rows = [...part.querySelectorAll("tbody tr")];
  const headings = [...part.querySelectorAll("thead th")].slice(0, 4);
  const choices = headings.map((heading, column) => {
    const label = document.createElement("label");
    const select = document.createElement("select");
    const values = new Set(rows.map((row) => row.cells[column].textContent));
    select.append(new Option("all", ""), ...[...values].map((value) => new Option(value, value)));
    label.append(heading.textContent, " ", select);
    part.querySelector(".choices").append(label);
    return select;
  });
  const show = () => {
    for (const row of rows) {
      row.hidden = choices.some((choice, i) => choice.value && row.cells[i].textContent !== choice.value);
    }
    // a column in which all rows are alike tells nothing, and a telephone has no room for it
    choices.forEach((choice, i) => {
      for (const row of [headings[i].parentNode, ...rows]) row.cells[i].hidden = Boolean(choice.value);
    });
    part.querySelector(".nothing").hidden = rows.some((row) => !row.hidden);
  };
  for (const choice of choices) choice.addEventListener("change", show);
}
