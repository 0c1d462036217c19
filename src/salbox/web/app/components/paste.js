// A picture from the clipboard: by the button, or by Ctrl+V anywhere on the page.
export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button");
  const status = parentElement.querySelector("span");
  const take = (blob) => {
    if (blob.size > data.most) {
      status.textContent = `That picture has more than ${Math.round(data.most / 2 ** 20)} MB.`;
      return;
    }
    const reader = new FileReader();
    reader.onload = () => {
      status.textContent = "";
      setTriggerValue("picture", reader.result);
    };
    reader.readAsDataURL(blob);
  };
  const pasted = (event) => {
    const item = [...(event.clipboardData?.items ?? [])].find((each) => each.type.startsWith("image/"));
    if (item) take(item.getAsFile());
  };
  button.onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((each) => each.startsWith("image/"));
        if (type) return take(await item.getType(type));
      }
      status.textContent = "There is no picture in the clipboard.";
    } catch {
      status.textContent = "The browser keeps the clipboard closed: press Ctrl+V instead.";
    }
  };
  document.addEventListener("paste", pasted);
  return () => document.removeEventListener("paste", pasted);
}
