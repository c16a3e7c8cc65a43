"""Times ASTRA's FDK on one GPU: gpu_check_astra.py SIZE VIEWS PEERS, printed as one line of JSON.

PEERS is a folder of wheels, which need not be installed. Exit code 77, with the reason as the last line, where
ASTRA cannot be loaded. It is timed as a user meets it: projections and volume lie in host memory.
"""
import ctypes
import glob
import json
import math
import os
import pathlib
import sys
import tempfile
import time
import zipfile

SKIPPED = 77


def load(peers, folder):
    """ASTRA as it is installed, or unpacked from wheels into `folder`."""
    for wheel in sorted(peers.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    sys.path.append(folder)
    forward = peers / "libcufft.so.11"
    if forward.exists():
        # cuFFT is too large to carry; the five functions that ASTRA calls are the same in the next version.
        places = [p for root in sys.path for p in glob.glob(f"{root}/nvidia/*/lib/libcufft.so.12")]
        for place in [*places, "libcufft.so.12", "/usr/local/cuda/lib64/libcufft.so.12"]:
            try:
                ctypes.CDLL(place, mode=ctypes.RTLD_GLOBAL)
                break
            except OSError:
                continue
        beside = pathlib.Path(folder, "nvidia", "cufft", "lib")
        beside.mkdir(parents=True, exist_ok=True)
        os.symlink(forward, beside / forward.name)
    import astra
    return astra


def time_fdk(astra, numpy, size, views):
    """Seconds of the second of two runs, or of the only one where one takes long, and the volume's middle."""
    source_object, source_detector, width = 300.0, 1000.0, 204.8
    voxel = width / size * source_object / source_detector
    half = 0.5 * size * voxel
    volume_geometry = astra.create_vol_geom(size, size, size, -half, half, -half, half, -half, half)
    angles = numpy.linspace(0, 2 * math.pi, views, False)
    geometry = astra.create_proj_geom("cone", width / size, width / size, size, size, angles, source_object,
                                      source_detector - source_object)
    # A ball at the centre looks the same from everywhere.
    places = (numpy.arange(size) - 0.5 * (size - 1)) * (width / size)
    across = source_object * numpy.hypot(places[:, None], places) / numpy.sqrt(
        source_detector**2 + places[:, None]**2 + places**2)
    radius = 0.5 * half
    image = 2 * 0.03 * numpy.sqrt(numpy.maximum(radius**2 - across**2, 0)).astype(numpy.float32)
    projections = numpy.empty((size, views, size), numpy.float32)
    projections[:] = image[:, None, :]
    volume = numpy.zeros((size, size, size), numpy.float32)
    ids = [astra.data3d.link("-sino", geometry, projections), astra.data3d.link("-vol", volume_geometry, volume)]
    config = astra.astra_dict("FDK_CUDA")
    config["ProjectionDataId"], config["ReconstructionDataId"] = ids
    for _ in range(2):
        algorithm = astra.algorithm.create(config)
        start = time.perf_counter()
        astra.algorithm.run(algorithm)
        seconds = time.perf_counter() - start
        astra.algorithm.delete(algorithm)
        if seconds > 30:
            break
    middle = slice(size // 2 - 2, size // 2 + 2)
    return seconds, float(volume[middle, middle, middle].mean())


def main(size, views, peers):
    with tempfile.TemporaryDirectory() as folder:
        try:
            import numpy
            astra = load(pathlib.Path(peers), folder)
        except (ImportError, OSError) as reason:
            print(f"ASTRA cannot be loaded: {reason}")
            return SKIPPED
        if not astra.use_cuda():
            print("ASTRA finds no CUDA device")
            return SKIPPED
        seconds, middle = time_fdk(astra, numpy, size, views)
        print(json.dumps({"version": astra.__version__, "seconds": seconds, "middle": middle, "truth": 0.03,
                          "gups": 1e-9 * size**3 * views / seconds}))
        return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
