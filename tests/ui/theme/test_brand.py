"""A brand without Python: logo, icons, font, corners and a style sheet of the operator's."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from structlog.testing import capture_logs

from brand_rules import LARGEST_STYLE, style_problems
from settings import Settings, SettingsError, load_settings
from ui.theme import icon_files
from ui.theme.brand import tell_dark_text
from ui.theme.image_size import ratio
from ui.theme.look import look_of
from ui.theme.style_sheet import style_sheet

RED_SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path fill="#f00" d="M0 0h10v10H0z"/></svg>'
WORDMARK = '<svg xmlns="http://www.w3.org/2000/svg" width="120px" height="24"><rect width="120" height="24"/></svg>'
Branded = Callable[..., Settings]


@pytest.fixture
def branded(tmp_path: Path) -> Branded:
    return lambda **values: load_settings(_env_file=None, storage_path=str(tmp_path / "store"), **values)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], str]:
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def drawn(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


def colors(image: Image.Image) -> set[tuple[int, ...]]:
    found = image.getcolors(image.width * image.height) or []
    return {color for _count, color in found if isinstance(color, tuple)}


class TestIcons:
    def test_without_a_logo_they_are_the_names_initial_on_the_brands_colour(self, branded: Branded) -> None:
        settings = branded(brand_name="éclair", brand_color="#ffd400")

        assert ">É<" in icon_files.icon_svg(settings)
        icon = drawn(icon_files.touch_icon(settings))
        assert icon.size == (180, 180)
        assert icon.getpixel((2, 2)) == (255, 212, 0)
        assert (11, 13, 18) in colors(icon)  # the letter, dark on yellow
        assert drawn(icon_files.favicon(settings)).size == (48, 48)

    def test_a_square_logo_is_the_icon(self, branded: Branded, file: Callable[[str, str], str]) -> None:
        settings = branded(brand_logo=file("logo.svg", RED_SQUARE))

        assert "data:image/svg+xml;base64," in icon_files.icon_svg(settings)
        assert drawn(icon_files.touch_icon(settings)).getpixel((90, 90)) == (255, 0, 0)

    def test_a_logo_of_pixels_is_the_icon_too(self, branded: Branded, tmp_path: Path) -> None:
        for name in ("logo.png", "logo.webp"):
            Image.new("RGB", (64, 64), (0, 128, 0)).save(tmp_path / name, lossless=True)
            settings = branded(brand_logo=str(tmp_path / name))

            assert drawn(icon_files.touch_icon(settings)).getpixel((90, 90)) == (0, 128, 0)

    def test_of_a_wordmark_the_initial_is_the_icon(self, branded: Branded, file: Callable[[str, str], str]) -> None:
        settings = branded(brand_logo=file("logo.svg", WORDMARK), brand_name="Kettle")

        assert ">K<" in icon_files.icon_svg(settings)

    def test_the_preview_is_as_large_as_previews_are_and_holds_the_brands_colour(self, branded: Branded) -> None:
        preview = drawn(icon_files.preview(branded(brand_color="#0a7a55")))

        assert preview.size == (1200, 630)
        assert preview.getpixel((10, 625)) == (10, 122, 85)

    def test_another_brand_has_other_addresses(self, branded: Branded, file: Callable[[str, str], str]) -> None:
        brands = [
            branded(), branded(brand_name="Kettle"), branded(brand_color="#000000"),
            branded(brand_logo=file("logo.svg", RED_SQUARE)),
        ]  # fmt: skip

        assert len({icon_files.icon_address(brand) for brand in brands}) == len(brands)


@pytest.mark.parametrize(
    ("svg", "expected"),
    [(RED_SQUARE, 1.0), (WORDMARK, 5.0), ('<svg viewBox="0 0 0 10"/>', 1.0), ("<svg/>", 1.0), ("nothing", 1.0)],
)
def test_an_svg_tells_its_shape(file: Callable[[str, str], str], svg: str, expected: float) -> None:
    assert ratio(Path(file("logo.svg", svg))) == expected


def test_pixels_tell_their_shape(tmp_path: Path) -> None:
    image = Image.new("RGB", (90, 30))
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "lossless.webp", lossless=True)
    image.save(tmp_path / "lossy.webp", quality=50)
    image.save(tmp_path / "extended.webp", exif=Image.Exif().tobytes())

    assert {path.name: ratio(path) for path in tmp_path.iterdir()} == dict.fromkeys(
        ("a.png", "lossless.webp", "lossy.webp", "extended.webp"), 3.0
    )


class TestStyle:
    def test_font_and_corners_are_variables_behind_ours(self, branded: Branded) -> None:
        css = style_sheet(look_of(branded(brand_font="Inter", brand_radius=4)))

        assert css.endswith(
            ':root{--font:"Inter",system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;'
            "--radius-card:4px;--radius-control:2px;--radius-badge:999px;}"
        )

    def test_a_font_of_a_file_comes_from_us(self, branded: Branded, file: Callable[[str, str], str]) -> None:
        look = look_of(branded(brand_font=file("ours.woff2", "wOF2")))

        assert look.font_file.startswith("/brand/font?v=")
        assert f'src:url("{look.font_file}") format("woff2")' in style_sheet(look)

    def test_without_them_nothing_stands_behind_ours(self, branded: Branded) -> None:
        assert look_of(branded()).declarations == ""

    def test_a_style_sheet_of_ones_own_comes_last(self, branded: Branded, file: Callable[[str, str], str]) -> None:
        own = ".hero { text-transform: none; background: url(/brand/logo) }\n"

        assert style_sheet(look_of(branded(brand_css=file("own.css", own)))).endswith(own)

    @pytest.mark.parametrize(
        ("css", "problem"),
        [
            ("a{}\n@import 'x.css';", "line 2 imports another style sheet; put its rules into the file"),
            ("\n\na{background:url(https://cdn.example.com/a)}", "line 3 loads https://cdn.example.com/a, which"),
            ("a{background:url('//cdn.example.com/a')}", "line 1 loads //cdn.example.com/a, which"),
            ("a{src:url(data:font/woff2;base64,AA)}", "line 1 loads data:font/woff2;base64,AA, which"),
            ('a{background:image-set("https://a.example/b.png" 1x)}', "line 1 names https://a.example/b.png, which"),
            ("a{color:red", "the brace of line 1 is never closed"),
            ("a{}\n}", "line 2 closes a brace that is not open"),
            ("a{}/* end", "the comment of line 1 never ends"),
            ("a{}</STYLE><script>", "line 1 holds </STYLE, which would end it"),
        ],
    )  # fmt: skip
    def test_what_pages_can_not_hold_is_told_with_its_line(
        self, branded: Branded, file: Callable[[str, str], str], css: str, problem: str
    ) -> None:
        with pytest.raises(SettingsError) as caught:
            branded(brand_css=file("own.css", css))

        assert f"BRAND_CSS must be a css file that pages can hold, but {problem}" in str(caught.value)

    @pytest.mark.parametrize(
        "css",
        [
            "/* https://example.com */ a{color:red}",
            'a::before{content:"}";background:url("data:image/svg+xml,%3Csvg xmlns=\'http://www.w3.org/2000/svg\'/%3E")}',
            "@media (width>1px){a{fill:url(#gradient)}}",
        ],
    )
    def test_what_pages_can_hold_is_taken(self, css: str) -> None:
        assert list(style_problems(css)) == []

    def test_a_large_one_is_refused(self, branded: Branded, file: Callable[[str, str], str]) -> None:
        with pytest.raises(SettingsError, match="at most 64 kB"):
            branded(brand_css=file("own.css", "a{}" * LARGEST_STYLE))


@pytest.mark.parametrize("name", ["brand_logo_dark", "brand_logo_only"])
def test_what_needs_a_logo_says_so(branded: Branded, file: Callable[[str, str], str], name: str) -> None:
    value = file("dark.svg", RED_SQUARE) if name == "brand_logo_dark" else True

    with pytest.raises(SettingsError) as caught:
        branded(**{name: value})

    upper = name.upper()
    assert str(caught.value) == f"{upper} is set but BRAND_LOGO is not; set BRAND_LOGO, or remove {upper}."


def test_the_start_says_that_text_on_the_brands_colour_is_dark(branded: Branded) -> None:
    with capture_logs() as logs:
        tell_dark_text(branded(brand_color="#ffd400"))
        tell_dark_text(branded(brand_color="#3b5bdb"))

    assert [(line["event"], line["color"], line["white_reads_at"]) for line in logs] == [
        ("brand_text_is_dark", "#ffd400", 1.4)
    ]
