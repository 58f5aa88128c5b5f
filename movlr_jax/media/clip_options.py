"""How a clip is filmed and what is written on it: options, with their units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClipView:
    """How a rollout is filmed.

    Attributes:
        width: pixels, even.
        height: pixels, even.
        fps: frames per second of the clip.
        playback: seconds of motion per second of clip; 0.25 is four times slower.
        azimuth: degrees; 90 sees the body from its right side, walking to the right; 180 sees its face.
        elevation: degrees; negative looks down.
        zoom: 1 fits the body with room around it.
        smoothing_s: width of the window over which the camera's path is smoothed (s).
        tendons: draw the muscles.
        samples: samples a pixel against jagged edges; 0 is fastest, 4 costs twice the time and suits pictures for a page.
        follow: body of the model that the camera follows; empty: the body as a whole.
        centred: look at the height of what is followed, as of a body that does not stand, and not at half the body's height.
        span: height of the picture at what is followed (m); 0 fits the body.
        reading_s: how long what ended the episode stands on the screen: the last frame is held for so long (s).
        crf: H.264 quality, lower is better and bigger.
    """

    width: int = 480
    height: int = 360
    fps: int = 25
    playback: float = 1.0
    azimuth: float = 90.0
    elevation: float = -6.0
    zoom: float = 1.0
    smoothing_s: float = 0.8
    tendons: bool = True
    samples: int = 0
    follow: str = ""
    centred: bool = False
    span: float = 0.0
    reading_s: float = 0.8
    crf: int = 23


@dataclass(frozen=True)
class Overlay:
    """What is written on the frames.

    Attributes:
        title: a few words in the upper left corner, such as "iteration 3".
        numbers: time (s), distance (m) and forward speed (m/s) on the upper edge.
        legend: the scale of the muscles' colours.
        marks: metres written on the floor.
        distance: float[T] (m), the task's own measure at the recorded instants; None measures the centre of mass along +x.
        gauges: (name, unit, float[T]) to write beside the time instead of distance and speed.
        events: (time s, words) shown from that time on, in red: (1.9, "fell"). A clip that ends with one holds its last frame
            until it has been shown for `ClipView.reading_s`.
    """

    title: str = ""
    numbers: bool = True
    legend: bool = True
    marks: bool = True
    distance: np.ndarray | None = None
    gauges: tuple[tuple[str, str, np.ndarray], ...] = ()
    events: tuple[tuple[float, str], ...] = ()
